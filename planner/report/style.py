"""How pages look, on the screen and on paper."""

STYLE = """
:root{--ink:#1d2329;--dim:#5d6670;--line:#d9dde1;--error:#b3261e;--warning:#8a5a00;--info:#2a5d84}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1120px;padding:24px 28px 48px;color:var(--ink);background:#fff;
 font:15px/1.6 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
h1{font-size:26px;line-height:1.3;margin:0 12px 4px 0;display:inline-block}
h2{font-size:19px;margin:0}h3{font-size:13px;color:var(--dim);margin:0;font-weight:600}
p{margin:4px 0}header{border-bottom:2px solid var(--ink);padding-bottom:12px}
header p{color:var(--dim);font-size:13px}
.symbols{display:none}
.badge{display:inline-block;border:1px solid var(--warning);color:var(--warning);border-radius:3px;
 font-size:12px;line-height:1.5;padding:0 6px;margin-right:4px;white-space:nowrap}
.counts{list-style:none;display:flex;gap:28px;padding:0;margin:10px 0 4px}
.counts b{font-size:24px;line-height:1.2;margin-right:2px}
.counts .error b{color:var(--error)}.counts .warning b{color:var(--warning)}
.counts .info b{color:var(--info)}
.verdict{border-left:4px solid;padding:4px 12px;margin:10px 0;font-size:15px;background:#f4f6f8}
header .verdict{color:var(--ink);font-size:15px}.verdict.errors{border-color:var(--error)}
.verdict.warnings{border-color:#d99a2b}.verdict.sound{border-color:#3c8a5a}
.overview{list-style:none;margin:14px 0 0;padding:0;font-size:13px;line-height:1.5}
.overview a{display:grid;grid-template-columns:5em 5.5em 1fr;gap:8px;color:inherit;
 text-decoration:none;border-top:1px solid #eceef0;padding:3px 0}
.overview a:hover{background:#f4f6f8}.overview span:nth-child(2){color:var(--dim)}
.overview .tag{font-weight:600}.overview .error .tag{color:var(--error)}
.overview .warning .tag{color:var(--warning)}.overview .info .tag{color:var(--info)}
section{margin-top:28px}section.error h2{color:var(--error)}
section.warning h2{color:var(--warning)}section.info h2{color:var(--info)}
.means{color:var(--dim);font-size:13px}
article{border:1px solid var(--line);border-left-width:4px;border-radius:4px;margin:12px 0;
 padding:12px 16px;display:grid;grid-template-columns:1fr;gap:8px 20px}
article.with-map{grid-template-columns:minmax(0,1fr) 360px;grid-template-rows:auto auto 1fr}
.with-map .words,.with-map table,.with-map details{grid-column:1}
.with-map figure{grid-column:2;grid-row:1/4}
.with-map table{display:block;overflow-x:auto}
.error article{border-left-color:var(--error)}.warning article{border-left-color:#d99a2b}
.info article{border-left-color:#7aa6c8}
.remedy{color:var(--ink);background:#f4f6f8;border-radius:3px;padding:4px 10px;margin-top:6px}
figure{margin:0}svg.map{width:100%;height:auto;display:block;background:#fafaf8;
 border:1px solid var(--line);border-radius:3px}
.scale{font:10px system-ui,sans-serif;fill:#333}
table{border-collapse:collapse;width:100%;font-size:12.5px;line-height:1.45;align-self:start}
caption{text-align:left;color:var(--dim);padding-bottom:2px}
th{text-align:left;color:var(--dim);font-weight:600;border-bottom:1px solid var(--line);
 padding:2px 10px 2px 0;vertical-align:bottom}
td{border-bottom:1px solid #eceef0;padding:2px 10px 2px 0;vertical-align:top;
 overflow-wrap:break-word}article td{white-space:nowrap}
article td:nth-child(2){white-space:normal}code{overflow-wrap:anywhere}
td.number{text-align:right}
details{font-size:12.5px}summary{cursor:pointer;color:var(--info)}
pre{max-height:260px;overflow:auto;background:#f4f6f8;padding:8px 10px;margin:6px 0 0;
 font-size:12px;line-height:1.45}
code{font-size:11px;color:var(--dim)}.silent{color:var(--warning)}.none{font-size:17px}
.origins div{border-top:1px solid var(--line);padding:8px 0;break-inside:avoid}
.origins h3{color:var(--ink);font-size:14px}
.origins dl{display:grid;grid-template-columns:9em minmax(0,1fr);gap:1px 12px;margin:4px 0 0;
 font-size:12.5px;line-height:1.5}.origins dt{color:var(--dim)}
.origins dd{margin:0;overflow-wrap:anywhere}
.origins ul{margin:2px 0;padding-left:18px;color:var(--dim)}
@media (max-width:820px){article.with-map{grid-template-columns:1fr}
 .with-map figure{grid-column:1;grid-row:auto}}
@media print{@page{size:A4;margin:14mm}body{max-width:none;padding:0;font-size:11pt}
 article{break-inside:avoid;grid-template-columns:1fr}
 article.with-map{grid-template-columns:minmax(0,1fr) 70mm}
 h2{break-after:avoid}details{display:none}.badge,article{print-color-adjust:exact}}
"""
"""Style sheet of a page that stands alone."""
