// module cloudflare:node
declare const __coldstart: any;
export const { httpServerHandler, handleAsNodeRequest, connectHandler, handleAsNodeConnection } = __coldstart["cloudflare:node"];
