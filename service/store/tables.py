"""Every table there is, for whoever compares them with a database."""

from service.store import access_models
from service.store import delivery_models
from service.store import models

METADATA = models.Base.metadata
#: named, so that importing this module is what makes the metadata whole
MODULES = (models, access_models, delivery_models)
