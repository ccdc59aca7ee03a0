//! Energy-based patch and image discriminators of feature maps.
