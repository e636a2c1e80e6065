# The image of Virtual Office. `make prove-image` runs every step except FROM without a container engine.

FROM debian:12.12-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/virtual-office
WORKDIR /build
COPY requirements/run.txt requirements/run.txt
RUN /opt/virtual-office/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
    --require-hashes --no-deps --only-binary :all: -r requirements/run.txt
COPY pyproject.toml README.md CHANGELOG.md LICENSE NOTICE ./
COPY sp sp
COPY templates templates
COPY static static
RUN /opt/virtual-office/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
    --no-deps --no-build-isolation . \
    && /opt/virtual-office/bin/python -m pip --disable-pip-version-check check
# Build tools are not needed at run time.
RUN /opt/virtual-office/bin/python -m pip uninstall --yes --quiet hatchling editables pip

FROM debian:12.12-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 ca-certificates \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 virtual-office \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin virtual-office \
    && install --directory --owner 10001 --group 10001 --mode 700 /data
COPY --from=build /opt/virtual-office /opt/virtual-office
ENV PATH=/opt/virtual-office/bin:/usr/local/bin:/usr/bin:/bin
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENV VIRTUAL_OFFICE_HOST=0.0.0.0 VIRTUAL_OFFICE_PORT=8000 VIRTUAL_OFFICE_DATA_DIR=/data VIRTUAL_OFFICE_LOG_FORMAT=json
WORKDIR /data
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["virtual-office", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["virtual-office"]
CMD ["serve"]
