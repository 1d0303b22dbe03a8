"""The demo page: one HTML file that computes a model in the browser, for what one draws."""
