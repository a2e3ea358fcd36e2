import { liveFigures } from "./figures";

liveFigures(document);
