# tillside's server: one process, one bundle, no torch. The bundle is mounted at /bundle:
#
#   docker build -t tillside .
#   docker run --read-only --cap-drop=all -p 8080:8080 -v "$PWD/bundle:/bundle:ro" tillside
#
# or baked in, by a Dockerfile of two lines:
#
#   FROM tillside
#   COPY bundle /bundle

ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS builder
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
COPY training ./training
COPY serving ./serving
COPY configs ./configs
RUN python -m venv --without-pip /opt/tillside \
 && python -m pip --python /opt/tillside/bin/python install --no-cache-dir --disable-pip-version-check \
      -c constraints.txt ".[serve]"
# What a server never opens: the training room, test suites, ONNX Runtime's model tools and its second copy for C.
RUN cd /opt/tillside/lib/python3.*/site-packages \
 && rm -rf training onnxruntime/transformers onnxruntime/quantization onnxruntime/tools onnxruntime/datasets \
      onnxruntime/capi/libonnxruntime.so.* \
 && find . -type d -name tests -prune -exec rm -rf {} + \
 && /opt/tillside/bin/python -c "import faiss, onnxruntime, serving.http.api"

FROM ${BASE}
COPY --from=builder /opt/tillside /opt/tillside
ENV PATH=/opt/tillside/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    OMP_NUM_THREADS=1 \
    GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
    TILLSIDE_BUNDLE=/bundle \
    TILLSIDE_LISTEN_HOST=0.0.0.0 \
    TILLSIDE_LISTEN_PORT=8080 \
    TILLSIDE_WITHOUT_BUNDLE=stay
USER 10001:10001
WORKDIR /
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['TILLSIDE_LISTEN_PORT'] + '/health/ready', timeout=2)"]
ENTRYPOINT ["python", "-m", "serving"]
