"""Layer tars to entries, digests and wanted files, in one streamed pass each.

``read_layer`` inflates, hashes and walks a layer at the same time, hands wanted files to a visitor and keeps nothing on
disk under a name from the image. Both digests are verified before it returns: compressed bytes against the manifest,
inflated bytes against the diff_id.
"""

from anchorecli.layers.content import FileContent
from anchorecli.layers.read import Blob, Directory, LayerRead, read_directory, read_layer
from anchorecli.layers.tar import Limits, Visitor

__all__ = ["Blob", "Directory", "FileContent", "LayerRead", "Limits", "Visitor", "read_directory", "read_layer"]
