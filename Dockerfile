# syntax=docker/dockerfile:1
# Stage 1 builds a wheel from the rooms and installs it, with the locked libraries, into /opt/tabwright.
# Stage 2 holds only that: no compiler, no sources, no root.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/tabwright
# The libraries first: this layer is made anew only when the lock changes.
COPY requirements/runtime.lock requirements/build.lock requirements/
RUN /opt/tabwright/bin/pip install --require-hashes -r requirements/runtime.lock \
 && python -m pip install --require-hashes -r requirements/build.lock
COPY . .
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/tabwright/bin/pip install --no-deps /wheels/*.whl \
 && /opt/tabwright/bin/python -m compileall -q /opt/tabwright/lib

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Tabwright" \
      org.opencontainers.image.description="A low-code, configurable CRM platform" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/tabwright/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TABWRIGHT_HOME=/var/lib/tabwright
RUN useradd --system --uid 10001 --home-dir /var/lib/tabwright --shell /usr/sbin/nologin tabwright \
 && install -d -o tabwright -g tabwright -m 700 /var/lib/tabwright
COPY --from=build /opt/tabwright /opt/tabwright
USER tabwright
WORKDIR /var/lib/tabwright
VOLUME /var/lib/tabwright
EXPOSE 8000
# A worker has no port: compose.yaml gives it a check of its own.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/health'); raise SystemExit(c.getresponse().status != 200)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tabwright"]
CMD ["serve", "--host", "0.0.0.0", "--allow-remote", "--port", "8000", "--threads", "4", "--no-worker"]
