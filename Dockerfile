# docker build -t charrnn . && docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" charrnn train
ARG BASE=python:3.13-slim
FROM ${BASE} AS build
COPY . /source
RUN python3 -m venv /charrnn && /charrnn/bin/pip install --no-cache-dir "/source[all]"

FROM ${BASE}
COPY --from=build /charrnn /charrnn
ENV HOME=/tmp PATH="/charrnn/bin:$PATH"
USER 1000:1000
WORKDIR /work
ENTRYPOINT ["charrnn"]
CMD ["--help"]
