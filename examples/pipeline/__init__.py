"""The parts of the demo: `steps` does the work, `questions` asks what was recorded, `tables` prints it."""
