import {defineConfig} from 'vite';

// The page that needs no gateway: one folder of static files, usable from any host and any path.
// Its server sends the same Content-Security-Policy as the gateway's, but for the endpoints.
export default defineConfig({
  root: 'chain',
  base: './',
  oxc: {jsx: {runtime: 'automatic', importSource: 'preact'}},
  build: {
    target: 'es2022',
    modulePreload: {polyfill: false},
    assetsInlineLimit: 0,
    // What the libraries import where there is no WebCrypto: in a browser there always is.
    rolldownOptions: {external: ['crypto']},
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
  },
});
