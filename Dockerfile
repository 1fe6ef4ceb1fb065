# Two images from one file: `service` (no torch) and `worker`.
FROM python:3.12-slim AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /opt/bitfloor
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY bitfloor bitfloor
COPY migrations migrations
COPY search search
COPY service service
COPY workers workers

FROM base AS service
RUN pip install -c constraints.txt '.[service]'
RUN useradd --create-home bitfloor
USER bitfloor
WORKDIR /home/bitfloor
EXPOSE 8765
CMD ["bitfloor", "serve"]

FROM base AS worker
RUN pip install -c constraints.txt '.[worker]'
RUN useradd --create-home bitfloor
USER bitfloor
WORKDIR /home/bitfloor
CMD ["bitfloor", "worker"]
