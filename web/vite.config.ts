import {defineConfig} from 'vite';

// The output must satisfy the gateway's Content-Security-Policy (src/webui/webui.h): no inline
// script or style, nothing from another origin, no polyfill that writes into the page.
export default defineConfig({
  base: '/',
  oxc: {jsx: {runtime: 'automatic', importSource: 'preact'}},
  build: {
    target: 'es2022',
    modulePreload: {polyfill: false},
    assetsInlineLimit: 0,
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
  },
});
