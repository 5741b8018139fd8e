"""The parts of the demo: `steps` does the work, `tracking` records it, `questions` asks what was recorded."""
