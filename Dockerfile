# Three images from one file: `service` (no torch), `worker`, and `ray`, a worker with Ray.
FROM python:3.12-slim AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
# one number in every image, so that they share files
RUN useradd --create-home --uid 1000 bitfloor
WORKDIR /opt/bitfloor
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY bitfloor bitfloor
COPY migrations migrations
COPY search search
COPY service service
COPY workers workers

FROM base AS service
RUN pip install -c constraints.txt '.[service]'
USER bitfloor
WORKDIR /home/bitfloor
EXPOSE 8765
CMD ["bitfloor", "serve"]

FROM base AS worker
RUN pip install -c constraints.txt '.[worker]'
# a new volume takes over whose the folder is
RUN install --directory --owner=bitfloor --group=bitfloor /var/cache/bitfloor
USER bitfloor
WORKDIR /home/bitfloor
EXPOSE 9464
CMD ["bitfloor", "worker"]

FROM worker AS ray
USER root
RUN cd /opt/bitfloor && pip install -c constraints.txt '.[ray]'
USER bitfloor
