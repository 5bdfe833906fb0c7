"""3-D arrays with geometry: images in NIfTI and other formats, orientation, boxes, background, resampling."""
