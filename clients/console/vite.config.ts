import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// Where `npm run dev` sends calls: a running server's console port.
const server = process.env['BUCKETRY_CONSOLE'] ?? 'http://127.0.0.1:9001';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    // The content security policy allows no inline script, and few files are easier to embed.
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        inlineDynamicImports: true,
        entryFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  server: { proxy: { '^/(bucketry\\.v1\\.|console\\.json)': { target: server, changeOrigin: true } } },
});
