export default ({ out }) => ({
  mode: "production",
  context: import.meta.dirname,
  entry: "./page.mjs",
  output: { path: out },
});
