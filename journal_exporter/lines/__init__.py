"""Pure: decides which entries become lines, and formats them."""
