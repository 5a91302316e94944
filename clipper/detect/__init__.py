"""Pure decisions: which product is explained when, what is hot, what pulls people in."""
