# The shop's page: docker build -f docker/web-demo.Dockerfile .
ARG NODE_IMAGE=docker.io/library/node:22.16.0-bookworm-slim
ARG NGINX_IMAGE=docker.io/nginxinc/nginx-unprivileged:1.28.0-alpine

FROM ${NODE_IMAGE} AS page
WORKDIR /src/web-demo
COPY web-demo/package.json web-demo/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web-demo ./
COPY subgraphs/product/seed/images ../subgraphs/product/seed/images
RUN npm run build

FROM ${NGINX_IMAGE}
COPY docker/web-demo/*.conf /etc/nginx/
COPY --from=page /src/web-demo/dist /usr/share/nginx/html
USER 101:101
EXPOSE 8080
ENTRYPOINT ["nginx"]
CMD ["-c", "/etc/nginx/nginx.conf", "-g", "daemon off;"]
