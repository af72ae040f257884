export { type Line, LineChart, type LineChartProps } from "./widgets/chart.js";
export { ChoiceField, Figures, TextField } from "./widgets/fields.js";
export { bytes, format } from "./widgets/format.js";
export { download } from "./widgets/save.js";
export { keepSettings, type Link, type Place, Shell, usePlace, type View } from "./widgets/shell.js";
export { onColours } from "./widgets/theme.js";
