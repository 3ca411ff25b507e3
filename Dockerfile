# Holdfast in a container: `docker build -t holdfast .`, then
# `docker run -p 3000:3000 -v holdfast:/data holdfast` (SQLite), or with -e MONGODB_URL=… (see compose.yaml). Under a domain, or
# behind a proxy, add -e PUBLIC_ORIGIN=https://chat.example.org.

FROM node:24-slim AS build
WORKDIR /holdfast
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-slim
WORKDIR /holdfast
ENV NODE_ENV=production DATA=/data
COPY --from=build /holdfast/package.json ./
COPY --from=build /holdfast/node_modules ./node_modules
COPY --from=build /holdfast/shared ./shared
COPY --from=build /holdfast/server ./server
COPY --from=build /holdfast/dist ./dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3000
# 200 if the database answers and the tail is open; over HTTPS if TLS_CERT_FILE is set.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["node", "server/healthCheck.ts"]
# The image has Node 24. The server is process 1, so it receives SIGTERM.
CMD ["node", "server/main.ts"]
