"""What the pages share: components, charts, words."""
