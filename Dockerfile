# syntax=docker/dockerfile:1
# Three stages: pinned npm packages, the binary, and an image that holds nothing but the binary.

FROM node:22-bookworm-slim AS packages
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund --omit=dev

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=packages /src/web/node_modules web/node_modules
RUN go run ./cmd/assets -release -installed
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' -o /out/coldstart ./cmd/coldstart
RUN mkdir -p /out/data /out/tmp

FROM scratch
COPY --from=build /out/coldstart /coldstart
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV COLDSTART_ADDR=0.0.0.0:8080 COLDSTART_DATA=/data
EXPOSE 8080
VOLUME ["/data"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/coldstart", "healthcheck"]
ENTRYPOINT ["/coldstart"]
CMD ["serve"]
