import { defineConfig } from "vite";

const here = (path: string) => new URL(path, import.meta.url).pathname;

export default defineConfig({
  base: "/static/",
  // The XML reader inside vtk.js asks for two modules of Node; without them the page dies on load.
  resolve: {
    alias: {
      events: here("./node_modules/events/events.js"),
      url: here("./node_modules/url/url.js"),
    },
  },
  build: {
    outDir: "dist",
    manifest: "manifest.json",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      input: [
        "src/reading/main.ts",
        "src/viewer/main.ts",
        "src/voting/main.ts",
        "src/staff/main.ts",
        "src/display-check/main.ts",
        "src/intake/main.ts",
        "src/builder/main.ts",
        "src/builder/full.ts",
        "src/results/main.ts",
        "src/styles/reader.css",
        "src/styles/staff.css",
      ],
    },
  },
});
