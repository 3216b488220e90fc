"""Names the published cell pictures `malaria`: a zip that the import makes a data set of.

Knows where the zip is; `catalogue` has it downloaded and imported. The names of its files, which
tell the slide that a cell was cut from, come to the import as they are.
"""

from __future__ import annotations

from cnn.data.download import RemoteFile
from cnn.data.registry import Origin, PictureSet, register_pictures
from cnn.data.store import About

# SHA-256 and size: tensorflow_datasets/url_checksums/malaria.txt, which names the second address;
# the first is the one that tensorflow_datasets/image_classification/malaria.py has today. Both are
# the library's own: no public copy of the same zip elsewhere was found.
_CELLS = RemoteFile(
    "cell_images.zip",
    ("https://data.lhncbc.nlm.nih.gov/public/Malaria/cell_images.zip",
     "https://ceb.nlm.nih.gov/proj/malaria/cell_images.zip"),
    "0a949556b2414159b5100192609805376654c4266d8d187be9b1922fad43c668", 353_452_851)

register_pictures(PictureSet(
    name="malaria",
    about=About(
        kind="built-in", title="Malaria cells",
        description="27,558 blood cells under the microscope, with the malaria parasite or not.",
        licence="None stated by the library", source="U.S. National Library of Medicine (NIH)",
        resize="stretch"),  # cells are cut out tightly: a crop would cut parasites off
    origin=Origin(
        "https://lhncbc.nlm.nih.gov/LHC-research/LHC-projects/image-processing/"
        "malaria-datasheet.html",
        "S. Rajaraman et al.: Pre-trained convolutional neural networks as feature extractors "
        "toward improved malaria parasite detection in thin blood smear images. PeerJ 6:e4568, "
        "2018.", (_CELLS,)),
    size=64, group="^(.+?)_IMG"))  # the slide: cells of one share stain, light and patient
