// The broker aedes on a port of loopback: node aedes.mjs FOLDER_OF_ITS_INSTALLATION PORT
// It keeps what it retains and its sessions in memory. It ends with its input.
import { createRequire } from "node:module";
import { createServer } from "node:net";

const [folder, port] = process.argv.slice(2);
const { Aedes } = createRequire(`${folder}/`)("aedes");
const broker = await Aedes.createBroker();
createServer(broker.handle).listen(Number(port), "127.0.0.1");
process.stdin.on("end", () => process.exit(0)).resume();
