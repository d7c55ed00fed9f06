"""What every Gaussian process here is made of: linear algebra that rounding does not break, and kernels."""
