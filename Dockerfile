# Culvert in a container: one image for the relay, the listener and the sender.
#   docker build -t culvert .
#   docker run culvert relay --help
# It needs no setting of the container: where io_uring is forbidden, it runs on epoll. Debian 12 or 13.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /culvert
COPY tools/packages tools/packages
COPY tools/lib tools/lib
RUN . tools/lib/common.sh; install_packages build; packages_for run >/run-packages
COPY . .
RUN cmake --preset release -DCULVERT_BUILD_TESTS=OFF -DCULVERT_BUILD_BENCH=OFF; \
    cmake --build build/release --target culvert culvert_plugins

FROM ${BASE}
COPY --from=build /run-packages /run-packages
RUN apt-get update \
    && xargs apt-get install --yes --no-install-recommends </run-packages \
    && rm -rf /run-packages /var/lib/apt/lists/* \
    && useradd --system --user-group --uid 10001 --no-create-home culvert \
    && install --directory --owner culvert --group culvert --mode 0700 /etc/culvert
COPY --from=build /culvert/build/release/bin /usr/lib/culvert
RUN ln -s /usr/lib/culvert/culvert /usr/bin/culvert
USER culvert
# A relay and a sender listen (0A), a listener has its connection to the relay (01). The check opens no
# connection: to a sender that would be a tunnel.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD grep -qE "^ +[0-9]+: [0-9A-F:]+ [0-9A-F:]+ (0A|01) " /proc/net/tcp /proc/net/tcp6
ENTRYPOINT ["culvert"]
CMD ["--help"]
