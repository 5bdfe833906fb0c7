"""From models and a preprocessed image to a segmentation on the scan's own grid."""
