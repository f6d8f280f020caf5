"""Published versions: checked, planned, published in one transaction, rolled back, pulled."""
