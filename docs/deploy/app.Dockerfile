# An application with its migrations and the windlass command beside it: one image for whatever runs.
FROM rust:1-alpine AS build
RUN apk add --no-cache gcc musl-dev
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM alpine:3
RUN apk add --no-cache ca-certificates
COPY --from=registry.example.com/windlass:0.1 /usr/local/bin/windlass /usr/local/bin/windlass
COPY --from=build /src/target/release/shop /usr/local/bin/shop
COPY --chmod=755 entrypoint.sh wait.sh /usr/local/bin/
WORKDIR /app
COPY migrations migrations
USER 65532:65532
# At start-up. Where a step of the release deploys, the command is ["shop"], or ["wait.sh", "shop"].
CMD ["entrypoint.sh", "shop"]
