"""Segmentation of preprocessed images by trained models, on the scan's own grid."""
