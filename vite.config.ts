import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';
import { defineConfig, type InlineConfig, type Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** The supported browsers (ARCHITECTURE.md); test/check/browserSupport.ts knows what they lack. An older browser shows the message of public/too-old.js. */
const TARGET = ['chrome111', 'safari16.4', 'firefox126'];
/**
 * The first line of each script. Chromium compiles all functions of such a script on another thread, while it is read,
 * instead of each when it is first called: in a first tap on Send those were 96.
 * Other browsers see a comment. https://github.com/WICG/explicit-javascript-compile-hints-file-based
 */
const COMPILED_AT_LOAD = '//# allFunctionsCalledOnLoad';
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
    rolldownOptions: {
      optimization: { inlineConst: { mode: 'all' } },
      output: { postBanner: COMPILED_AT_LOAD },
    },
  },
  server: {
    host: '127.0.0.1',
    // with changeOrigin, which a target without options has, the server would see another Host than the page's Origin
    proxy: { '/api': { target: SERVER, changeOrigin: false }, '/socket.io': { target: SERVER, ws: true } },
  },
  plugins: [
    retriedImports(),
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
    compressed(),
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

/**
 * What web/load/lazyImport.ts needs of the build: dynamic imports take their URL from `chunkUrl`, and a lazy chunk
 * imports only chunks that the page starts with. The URL of another one could be spoiled, or be imported twice.
 */
const PLAIN_IMPORT = 'export const __vitePreload = (load) => load();';

function retriedImports(): Plugin {
  return {
    name: 'retried-imports',
    apply: 'build',
    enforce: 'pre',
    // What Vite puts around each import() would call it later, and preload what need not be preloaded.
    load: (id) => (id.endsWith('vite/preload-helper.js') ? PLAIN_IMPORT : undefined),
    augmentChunkHash: () => 'retried imports 1', // of the names of the files, which are made before
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
      const first = new Set(chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
      for (const path of first) {
        const chunk = bundle[path];
        if (chunk?.type === 'chunk') for (const imported of chunk.imports) first.add(imported);
      }
      for (const chunk of chunks) {
        const { fileName, imports, dynamicImports } = chunk;
        const shared = first.has(fileName) ? undefined : imports.find((path) => !first.has(path));
        if (shared !== undefined) this.error(`${fileName} imports ${shared}, which is a lazy chunk as well`);
        for (const lazy of dynamicImports) {
          const name = `./${lazy.slice(lazy.lastIndexOf('/') + 1)}`;
          const plain = new RegExp(`(?<=[(>]|=> )import\\((["'\`]${RegExp.escape(name)}["'\`])\\)`, 'g');
          if (!plain.test(chunk.code))
            this.error(`${fileName} imports ${lazy} in a way that cannot be retried`);
          chunk.code = chunk.code.replaceAll(plain, 'import(chunkUrl($1))');
        }
      }
    },
  };
}

/** Writes the files of the page compressed beside them, so that no server does it at each start (server/http/page.ts). */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle: {
      sequential: true, // after the service worker is built
      order: 'post',
      async handler(error) {
        if (error) return;
        const files = await readdir(at('dist'), { recursive: true });
        const texts = files.filter((name) => /\.(?:html|js|css|webmanifest|svg)$/.test(name));
        await Promise.all(
          texts.map(async (name) => {
            const path = join(at('dist'), name);
            await writeFile(`${path}.br`, await promisify(brotliCompress)(await readFile(path)));
          }),
        );
      },
    },
  };
}
