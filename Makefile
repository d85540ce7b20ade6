.PHONY: run test lint bench golden

run:
	streamlit run app.py --server.fileWatcherType auto

test:
	python -m pytest

lint:
	ruff check .
	ruff format --check .

bench:
	python benchmarks/first_page.py
	python benchmarks/optimizers.py
	python benchmarks/latency.py
	python benchmarks/networks.py
	python benchmarks/search.py
	python benchmarks/sensitivity.py

golden:
	python tests/golden/make.py
