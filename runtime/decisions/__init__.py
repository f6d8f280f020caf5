"""Rules that decide, carried out: values are loaded, the pure rules asked, the why kept."""
