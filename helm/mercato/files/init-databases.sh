#!/bin/bash
# A database and a role for each service; nobody may connect to another's. Runs once, on an empty volume.
set -euo pipefail
for service in auth inventory notification order payment product review webhook; do
  password=$(cat "/run/secrets/postgres/$service")
  psql -v ON_ERROR_STOP=1 -v role="$service" -v database="${service}_db" -v password="$password" \
    --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password' CONNECTION LIMIT 80;
CREATE DATABASE :"database" OWNER :"role";
REVOKE CONNECT, TEMPORARY ON DATABASE :"database" FROM PUBLIC;
SQL
done
