"""What Streamlit runs for a visitor."""

if __name__ == "__main__":  # not in the processes of trainings, which begin by importing it
    from optviz.shell.app import main

    main()
