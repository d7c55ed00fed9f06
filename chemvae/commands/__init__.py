"""The commands: each parses, calls one public function, and shows the result. Heavy imports happen inside them."""
