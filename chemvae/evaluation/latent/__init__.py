"""How near z is to deciding the molecule: codes found again, smoothness, curves away from the data."""
