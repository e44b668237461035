"""Tables: images x voxels, masks, and numbers gathered from many images."""
