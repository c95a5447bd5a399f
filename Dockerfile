# The sink and nothing else: docs/docker.md.

FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/dev.txt requirements/run.txt requirements/
# The build backend is in it, with its hashes. It stays in this stage.
RUN ["pip", "install", "--require-hashes", "-r", "requirements/dev.txt"]
RUN ["python", "-m", "venv", "--without-pip", "/opt/sink"]
RUN ["pip", "--python", "/opt/sink", "install", "--require-hashes", "-r", "requirements/run.txt"]
COPY pyproject.toml README.md LICENSE ./
COPY sink sink
COPY index_templates index_templates
RUN ["pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", "/wheel", "."]
RUN ["pip", "--python", "/opt/sink", "install", "--no-deps", "--no-index", "--find-links", "/wheel", "ekk-sink"]

# The same image again: the environment holds links to its Python.
FROM python:3.12-slim
COPY --from=build /opt/sink /opt/sink
ENV PATH=/opt/sink/bin:$PATH
# A number: Kubernetes' runAsNonRoot cannot judge a name. It needs no account and owns no file.
USER 10001:10001
EXPOSE 9117
# Without proxies: Docker hands those of the host to every container, and they know no loopback.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:9117/health/live', timeout=4)"]
ENTRYPOINT ["sink"]
CMD ["run", "-c", "/etc/sink/sink.toml"]
