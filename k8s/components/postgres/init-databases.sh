#!/bin/bash
# A database and a role for each service; nobody may connect to another's. The auditor may read three, and write none.
# Runs once, on an empty volume.
set -euo pipefail
for service in analytics auth inventory notification order payment product review webhook; do
  password=$(cat "/run/secrets/postgres/$service")
  psql -v ON_ERROR_STOP=1 -v role="$service" -v database="${service}_db" -v password="$password" \
    --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password' CONNECTION LIMIT 80;
CREATE DATABASE :"database" OWNER :"role";
REVOKE CONNECT, TEMPORARY ON DATABASE :"database" FROM PUBLIC;
SQL
done
password=$(cat /run/secrets/postgres/auditor)
psql -v ON_ERROR_STOP=1 -v password="$password" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE auditor LOGIN PASSWORD :'password' CONNECTION LIMIT 12;
GRANT pg_read_all_data TO auditor;
GRANT CONNECT ON DATABASE order_db, inventory_db, payment_db TO auditor;
SQL
