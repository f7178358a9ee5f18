"""The parts of Teach: what is shown by camera or pad, the classes with their examples, and how well they are told."""
