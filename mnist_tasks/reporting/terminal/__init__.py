"""What the commands print: tables, panels and live progress, drawn with rich."""
