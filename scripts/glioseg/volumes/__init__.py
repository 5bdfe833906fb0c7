"""3-D arrays with geometry: NIfTI files, orientation, boxes, background, resampling."""
