//! Names the compute backends and picks one at run time.
