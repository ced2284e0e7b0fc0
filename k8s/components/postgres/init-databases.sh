#!/bin/bash
# A database and a role for each service; nobody may connect to another's. The auditor may read four, and write none.
# Runs once, on an empty volume.
set -euo pipefail
# roster: databases
for service in analytics auth inventory notification order payment product review webhook; do
# roster: end
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
GRANT CONNECT ON DATABASE analytics_db, inventory_db, order_db, payment_db TO auditor;
SQL
