import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { firstLoadBudget } from './build/first-load-budget.ts'

const SERVER = 'http://127.0.0.1:8888'

/** `scripts/build-console.ts` builds; `npx vite console` serves the sources while they change, beside `npm start`. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), firstLoadBudget({ maxGzipBytes: 400_000, pages: ['src/app/pages/agents-page.tsx'] })],
  build: {
    outDir: process.env.CONSOLE_OUT_DIR ?? 'dist',
    emptyOutDir: true,
    sourcemap: false,
    // files of their own, under the content security policy: no data: modules
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1_500,
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': SERVER, '/v1': SERVER, '/v3': SERVER, '/docs': SERVER, '/openapi.json': SERVER } },
})
