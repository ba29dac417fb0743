"""From files to arrays: folders, decoding, archives, near-duplicates, splitting, augmentation.

`prepare.prepare` walks the whole way; the modules can be used one by one. Importing this
package, or `tl_core.data.folders`, loads neither torch nor albumentations.
"""
