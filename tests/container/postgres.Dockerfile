# PostgreSQL on the base image of the test, in place of the official image that compose.yaml names.
ARG BASE
FROM ${BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql && rm -rf /var/lib/apt/lists/*
USER postgres
CMD PATH=$(echo /usr/lib/postgresql/*/bin):$PATH; cd /var/lib/postgresql \
    && initdb --pgdata data --auth trust --no-sync >/dev/null \
    && echo "host all all all trust" >>data/pg_hba.conf \
    && exec postgres -D data -k /tmp -c listen_addresses=*
