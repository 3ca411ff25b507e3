import { fileURLToPath } from 'node:url';
import { defineConfig, type InlineConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** The supported browsers (ARCHITECTURE.md); test/check/browserSupport.ts knows what they lack. An older browser shows the message of public/too-old.js. */
const TARGET = ['chrome111', 'safari16.4', 'firefox126'];
const SERVER = 'http://127.0.0.1:3000';

export default defineConfig({
  root: at('web'),
  publicDir: at('public'),
  build: {
    outDir: at('dist'),
    emptyOutDir: true,
    target: TARGET,
    assetsInlineLimit: 0, // the content security policy forbids data: URLs in scripts and styles
    modulePreload: { polyfill: false },
    // Constants that are only named once would keep limits.ts in a chunk of its own, fetched before the first paint.
    rolldownOptions: { optimization: { inlineConst: { mode: 'all' } } },
  },
  server: {
    host: '127.0.0.1',
    // with changeOrigin, which a target without options has, the server would see another Host than the page's Origin
    proxy: { '/api': { target: SERVER, changeOrigin: false }, '/socket.io': { target: SERVER, ws: true } },
  },
  plugins: [
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'sw',
      filename: 'sw.ts',
      outDir: at('dist'),
      injectRegister: false, // web/update.ts does it
      manifest: false, // public/manifest.webmanifest
      injectManifest: {
        target: TARGET,
        globPatterns: ['**/*.{html,js,css,svg,webmanifest}'], // the operating system fetches the icons itself
      },
      integration: { configureCustomSWViteBuild: quietly },
    }),
  ],
});

/** The plugin builds the worker with a second Vite: this makes it quiet, and replaces a deprecated option that the plugin sets. */
function quietly(config: InlineConfig): void {
  config.logLevel = 'warn';
  const output = config.build?.rollupOptions?.output;
  if (output === undefined || Array.isArray(output)) return;
  delete output.inlineDynamicImports;
  output.codeSplitting = false;
}
