"""What every page with a training asks for: its data, its network, its optimizer, its jobs."""
