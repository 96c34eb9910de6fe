// The map's side of the bridge, run as the body of a function of `map` and `data`.
// It says only what it was asked to say, and does only what its own page's holder tells it.
var word = window.plannerWord, layers = {}, markers = {}, asked = {}, theme = "light";
var byId = function (id) { return layers[id]; };

function tell(kind, rest) {
  if (window.parent === window || (!asked[kind] && kind !== "ready")) return;
  window.parent.postMessage(Object.assign({planner: word, kind: kind}, rest), "*");
}
function place(at) { return {lon: at.lng, lat: at.lat}; }

/* ---- where the map is ------------------------------------------------------------- */
var home = data.bounds, own = false, held = false;
function quietly(act) { own = true; try { act(); } finally { own = false; } }
function sized() { var size = map.getSize(); return size.x > 0 && size.y > 0; }
function fit() {
  if (home && sized()) quietly(function () {
    map.fitBounds(home, {animate: false, padding: [10, 10]});
  });
}
map.on("movestart", function () { if (!own) held = true; });
map.on("resize", function () { if (!held) fit(); });
map.on("moveend", function () {
  var bounds = map.getBounds(), centre = map.getCenter();
  tell("view", {lon: centre.lng, lat: centre.lat, zoom: map.getZoom(), west: bounds.getWest(),
    south: bounds.getSouth(), east: bounds.getEast(), north: bounds.getNorth()});
});
fit();

/* ---- panes: one a layer, so that order and clipping are a layer's own --------------- */
function pane(id, order) {
  var name = "planner-" + id, made = map.getPane(name) || map.createPane(name);
  made.style.zIndex = 200 + order;
  made.dataset.layer = id;
  return name;
}

/* ---- numbers packed as steps --------------------------------------------------------- */
function unpack(table) {
  var lines = [], x = 0, y = 0, k = 0;
  for (var i = 0; i < table.n.length; i++) {
    var line = [];
    for (var j = 0; j < table.n[i]; j++) {
      x += table.d[k++]; y += table.d[k++]; line.push([y / 1e5, x / 1e5]);
    }
    lines.push(line);
  }
  return lines;
}

/* ---- distances as tiles --------------------------------------------------------------- */
// A tile holds, a byte each, how much of a pixel street covers, then the high and the low
// byte of the distance in steps plus one; nought is where there is no way at all.
function rgba(colour) {
  var probe = rgba.canvas || (rgba.canvas = document.createElement("canvas").getContext("2d"));
  probe.fillStyle = "#000"; probe.fillStyle = colour;
  var hex = probe.fillStyle;
  return [1, 3, 5].map(function (at) { return parseInt(hex.slice(at, at + 2), 16); });
}
function ramp(told) {
  var table = new Uint32Array(65536), end = told.stops.map(function (stop) {
    return Math.floor(stop / told.step + 1e-6) + 1;
  });
  var colours = told.colours.map(function (colour) {
    var c = rgba(colour); return (c[2] << 16) | (c[1] << 8) | c[0];
  });
  var band = 0;
  for (var number = 1; number < 65536; number++) {
    while (band < end.length && number > end[band]) band++;
    table[number] = colours[band];
  }
  table[0] = colours[colours.length - 1];
  return table;
}
var Field = L.GridLayer.extend({
  initialize: function (told) {
    this.told = told; this.table = ramp(told); this.held = {};
    L.GridLayer.prototype.initialize.call(this, {pane: pane(told.id, told.order),
      opacity: told.opacity, updateWhenZooming: false, keepBuffer: 1, maxZoom: 19});
    this.on("tileunload", function (gone) { delete this.held[this._tileCoordsToKey(gone.coords)]; });
  },
  createTile: function (coords, done) {
    var canvas = L.DomUtil.create("canvas", "leaflet-tile"), key = this._tileCoordsToKey(coords);
    var sharp = window.devicePixelRatio > 1.3 ? "@2x" : "", side = sharp ? 512 : 256, layer = this;
    canvas.width = canvas.height = side;
    var url = L.Util.template(this.told.url, {z: coords.z, x: coords.x, y: coords.y, r: sharp});
    fetch(url).then(function (answer) {
      if (!answer.ok) throw new Error("tile " + answer.status);
      return answer.status === 204 ? null : answer.arrayBuffer();
    }).then(function (bytes) {
      if (bytes && bytes.byteLength === 3 * side * side) {
        layer.held[key] = {canvas: canvas, bytes: new Uint8Array(bytes)};
        layer.paint(layer.held[key]);
      }
      done(null, canvas);
    }).catch(function (error) { done(error, canvas); });
    return canvas;
  },
  paint: function (tile) {
    var side = tile.canvas.width, count = side * side, bytes = tile.bytes, table = this.table;
    var context = tile.canvas.getContext("2d"), image = tile.image
      || (tile.image = context.createImageData(side, side));
    var pixels = new Uint32Array(image.data.buffer);
    for (var i = 0; i < count; i++) {
      var alpha = bytes[i];
      pixels[i] = alpha ? (alpha << 24) | table[(bytes[count + i] << 8) | bytes[2 * count + i]] : 0;
    }
    context.putImageData(image, 0, 0);
  },
  recolour: function (told) {
    Object.assign(this.told, told); this.table = ramp(this.told);
    for (var key in this.held) this.paint(this.held[key]);
  },
});

/* ---- points as tiles ------------------------------------------------------------------ */
function number(value) { return Math.round(value).toLocaleString("en-US"); }
var Spots = L.GridLayer.extend({
  initialize: function (told) {
    this.told = told; this.groups = {};
    L.GridLayer.prototype.initialize.call(this, {pane: pane(told.id, told.order),
      updateWhenZooming: false, keepBuffer: 1, maxZoom: 19});
    this.on("tileunload", function (gone) {
      var key = this._tileCoordsToKey(gone.coords);
      if (this.groups[key]) this.groups[key].remove();
      delete this.groups[key];
    });
  },
  onAdd: function (map) {
    this.drawn = L.svg({pane: this.options.pane}).addTo(map);
    return L.GridLayer.prototype.onAdd.call(this, map);
  },
  onRemove: function (map) {
    for (var key in this.groups) this.groups[key].remove();
    this.groups = {};
    L.GridLayer.prototype.onRemove.call(this, map);
    this.drawn.remove();
  },
  createTile: function (coords, done) {
    var empty = L.DomUtil.create("div"), layer = this, key = this._tileCoordsToKey(coords);
    var url = L.Util.template(this.told.url, {z: coords.z, x: coords.x, y: coords.y, r: ""});
    fetch(url).then(function (answer) {
      if (!answer.ok) throw new Error("tile " + answer.status);
      return answer.status === 204 ? null : answer.json();
    }).then(function (told) {
      if (told && map.hasLayer(layer) && layer._tiles[key] && coords.z === layer._tileZoom) {
        layer.largest = told.largest;
        layer.groups[key] = L.layerGroup(told.points.map(layer.dot, layer)).addTo(map);
        layer.explain();
      }
      done(null, empty);
    }).catch(function (error) { done(error, empty); });
    return empty;
  },
  radius: function (weight, count) {
    var told = this.told;
    if (told.sized) {
      return Math.max(told.most_radius * Math.sqrt(weight / this.largest), told.least_radius);
    }
    return count > 1 ? Math.min(told.least_radius + 3 + 1.6 * Math.log2(count), 20) : told.least_radius;
  },
  // Two round weights and their dots, where the legend has room for them.
  explain: function () {
    var room = document.querySelector('.legend [data-spots="' + this.told.id + '"]');
    if (!room || !this.told.sized || !this.largest) return;
    var most = Math.max(this.largest * 0.15, 1), top = Math.pow(10, Math.floor(Math.log10(most)));
    var nice = [1, 2, 5].map(function (step) { return step * top; })
      .filter(function (weight) { return weight <= most; }).pop();
    var sizes = nice > 1 ? [nice, Math.max(nice / 10, 1)] : [1];
    room.innerHTML = sizes.map(function (weight) {
      var radius = this.radius(weight, 1), side = Math.max(14, 2 * radius + 2);
      return '<div><svg width="' + Math.max(24, side) + '" height="' + side + '"><circle cx="'
        + Math.max(12, side / 2) + '" cy="' + side / 2 + '" r="' + radius + '" fill="'
        + this.told.style.fillColor + '" fill-opacity=".75"/></svg><span></span></div>';
    }, this).join("");
    room.querySelectorAll("span").forEach(function (one, i) {
      one.textContent = this.told.words.legend.replace("{weight}", number(sizes[i]));
    }, this);
  },
  // lon, lat, weight, how many joined, id or null, words of one or null, on no street
  dot: function (point) {
    var told = this.told, layer = this, many = point[3] > 1;
    var style = Object.assign({}, told.style, point[6] ? told.hollow : {});
    var radius = this.radius(point[2], point[3]);
    var mark = L.circleMarker([point[1], point[0]], Object.assign(style,
      {radius: radius, pane: this.options.pane, renderer: this.drawn, bubblingMouseEvents: false}));
    var words = many ? told.words.many : told.words.one;
    if (point[5] !== null || words) {
      mark.bindTooltip(function () {
        if (!many && point[5] !== null) return point[5];
        var line = document.createElement("span");
        line.textContent = words.replace("{weight}", number(point[2])).replace("{count}", number(point[3]));
        return line;
      });
    }
    if (!told.sized && many) {
      var sign = L.marker([point[1], point[0]], {interactive: false, keyboard: false,
        pane: this.options.pane, icon: L.divIcon({className: "count", html: "<span>" + Number(point[3]) + "</span>",
          iconSize: [0, 0]}), zIndexOffset: 100000});
      mark = L.featureGroup([mark, sign]);
    }
    mark.on("click", function (event) {
      L.DomEvent.stopPropagation(event);
      if (drawing) { drawing.add(event.latlng); return; }
      if (many && !told.sized && map.getZoom() < 17) map.setView(event.latlng, map.getZoom() + 2);
      else clicked(event.latlng, told.id, many ? null : point[4]);
    });
    return mark;
  },
});

/* ---- layers ---------------------------------------------------------------------------- */
function vector(told, group) {
  group.addTo(map);
  group.told = told;
  return group;
}
function drawnIn(told) {
  var name = pane(told.id, told.order);
  return {pane: name, renderer: L.svg({pane: name})};
}
function plan(told) {
  if (told.layer === "picture") {
    return L.tileLayer(told.url, {pane: pane(told.id, told.order), opacity: told.opacity,
      subdomains: told.subdomains, maxNativeZoom: told.most_zoom, maxZoom: 19,
      r: window.devicePixelRatio > 1.3 ? "@2x" : ""}).addTo(map);
  }
  if (told.layer === "field") return new Field(told).addTo(map);
  if (told.layer === "spots") return new Spots(told).addTo(map);
  var where = drawnIn(told), group = L.layerGroup();
  if (told.layer === "areas") {
    var rings = unpack(told.rings), next = 0;
    group.parts = {};
    told.parts.forEach(function (counts, i) {
      var parts = counts.map(function (count) { next += count; return rings.slice(next - count, next); });
      var style = Object.assign({smoothFactor: 1, interactive: !!told.tips}, told.style, where);
      if (told.fills) { style.fill = true; style.fillColor = told.fills[i]; }
      var area = L.polygon(parts, style);
      if (told.tips) area.bindTooltip(told.tips[i], {sticky: true, direction: "auto"});
      area.on("click", function (event) {
        L.DomEvent.stopPropagation(event);
        if (drawing) { drawing.add(event.latlng); return; }
        clicked(event.latlng, told.id, told.ids[i]);
      });
      group.parts[told.ids[i]] = area;
      group.addLayer(area);
    });
  } else if (told.layer === "lines") {
    var line = L.polyline(unpack(told.lines), Object.assign({interactive: !!told.tip}, told.style, where));
    if (told.tip) line.bindTooltip(told.tip, {sticky: true});
    group.addLayer(line);
  } else if (told.layer === "dots") {
    told.places.forEach(function (at, i) {
      var dot = L.circleMarker([at[1], at[0]], Object.assign({radius: told.radius[i],
        bubblingMouseEvents: false}, told.style, where));
      if (told.tips[i]) dot.bindTooltip(told.tips[i]);
      dot.on("click", function (event) {
        L.DomEvent.stopPropagation(event);
        if (drawing) { drawing.add(event.latlng); return; }
        clicked(event.latlng, told.id, told.ids[i]);
      });
      group.addLayer(dot);
    });
  } else if (told.layer === "labels") {
    told.places.forEach(function (at, i) {
      group.addLayer(L.marker([at[1], at[0]], {interactive: false, keyboard: false, pane: where.pane,
        icon: L.divIcon({className: "unit-label", html: told.html[i], iconSize: [0, 0]})}));
    });
  }
  return vector(told, group);
}
function put(told) {
  var before = byId(told.id);
  layers[told.id] = plan(told);
  // The old one goes when the new one is drawn, so that nothing flickers.
  if (before) {
    var fresh = layers[told.id];
    if (fresh instanceof L.GridLayer && before instanceof L.GridLayer) {
      var gone = false, drop = function () { if (!gone) { gone = true; before.remove(); } };
      fresh.once("load", drop); setTimeout(drop, 4000);
    } else before.remove();
  }
  tidy(); clip();
}
function take(id) {
  if (layers[id]) layers[id].remove();
  delete layers[id];
}
function tidy() {
  var kept = [];
  document.querySelectorAll(".unit-label div").forEach(function (label) {
    label.style.visibility = "";
    var here = label.getBoundingClientRect();
    var free = kept.every(function (other) {
      return here.right < other.left || other.right < here.left
        || here.bottom < other.top || other.bottom < here.top;
    });
    if (free) kept.push(here); else label.style.visibility = "hidden";
  });
}
map.on("zoomend resize", tidy);

/* ---- markers ----------------------------------------------------------------------------- */
function pin(told) {
  var element = document.createElement("div");
  element.className = "pin";
  element.style.setProperty("--pin", told.colour);
  element.style.setProperty("--pin-ink", told.ink);
  element.innerHTML = '<svg width="26" height="34" viewBox="0 0 26 34" aria-hidden="true">'
    + '<path d="M13 33C9 26 2 20 2 12.5a11 11 0 0 1 22 0C24 20 17 26 13 33Z" stroke="var(--pin-ink)" '
    + 'stroke-width="2"/></svg><span></span>';
  element.querySelector("span").textContent = told.sign;
  return L.divIcon({className: "pin-icon", html: element, iconSize: [26, 34], iconAnchor: [13, 33]});
}
function mark(told) {
  unmark(told.id);
  var made = L.marker([told.lat, told.lon], {icon: pin(told), draggable: told.draggable,
    keyboard: true, title: told.label, alt: told.label, zIndexOffset: 1000, autoPan: true});
  var last = 0, timer = null;
  function dragged() { last = Date.now(); timer = null;
    tell("drag", Object.assign({marker: told.id}, place(made.getLatLng()))); }
  made.on("drag", function () {
    if (timer === null) timer = setTimeout(dragged, Math.max(0, data.every - (Date.now() - last)));
  });
  made.on("dragend", function () {
    clearTimeout(timer); timer = null;
    tell("drop", Object.assign({marker: told.id}, place(made.getLatLng())));
  });
  made.on("click", function (event) { clicked(made.getLatLng(), "markers", told.id); });
  markers[told.id] = made.addTo(map);
}
function unmark(id) { if (markers[id]) markers[id].remove(); delete markers[id]; }

/* ---- clicks, also without a pointer ------------------------------------------------------- */
var deaf = 0; // the second click of a double one that ended a drawing is no click
function clicked(at, layer, feature) {
  if (Date.now() < deaf) return;
  tell("click", Object.assign(place(at), {layer: layer || null, feature: feature || null}));
}
var cross = L.DomUtil.create("div", "cross", map.getContainer());
map.on("click", function (event) {
  if (drawing) drawing.add(event.latlng); else clicked(event.latlng);
});
map.getContainer().addEventListener("keydown", function (event) {
  if (event.target !== map.getContainer()) return;
  cross.classList.add("shown");
  if (event.key === "Enter" && !event.repeat) {
    if (drawing) drawing.add(map.getCenter()); else clicked(map.getCenter());
  } else if (drawing) drawing.key(event.key);
});
map.getContainer().addEventListener("pointerdown", function () { cross.classList.remove("shown"); });
map.getContainer().addEventListener("blur", function () { cross.classList.remove("shown"); });

/* ---- drawing -------------------------------------------------------------------------------- */
var drawing = null;
function draw(shape) {
  if (drawing) { drawing.line.remove(); drawing.dots.remove(); map.doubleClickZoom.enable(); }
  map.getContainer().classList.toggle("drawing", !!shape);
  drawing = null;
  if (!shape) return;
  map.doubleClickZoom.disable();
  var points = [], least = {point: 1, line: 2, polygon: 3}[shape];
  var style = {color: data.accent, weight: 2, dashArray: "5 4", interactive: false};
  var line = (shape === "polygon" ? L.polygon : L.polyline)([], style).addTo(map);
  var dots = L.layerGroup().addTo(map);
  function show(ahead) {
    line.setLatLngs(ahead ? points.concat([ahead]) : points);
    dots.clearLayers();
    points.forEach(function (at, i) {
      var dot = L.circleMarker(at, {radius: i ? 4 : 6, color: "#fff", weight: 2, fillOpacity: 1,
        fillColor: data.accent, bubblingMouseEvents: false}).addTo(dots);
      dot.on("click", function (event) {
        L.DomEvent.stopPropagation(event);
        if (i === 0 && shape === "polygon" || i === points.length - 1) end();
      });
    });
  }
  function end() {
    if (points.length < least) return;
    var told = points.map(function (at) { return [at.lng, at.lat]; });
    draw(null);
    deaf = Date.now() + 400;
    tell("draw", {shape: shape, points: told});
  }
  drawing = {line: line, dots: dots,
    add: function (at) { points.push(at); show(); if (shape === "point") end(); },
    ahead: function (at) { if (points.length) show(at); },
    key: function (key) {
      if (key === "Escape") draw(shape);
      else if (key === "Backspace") { points.pop(); show(); }
      else if (key === " ") end();
    }};
}
map.on("mousemove", function (event) { if (drawing) drawing.ahead(event.latlng); });
map.on("dblclick", function () { if (drawing) drawing.key(" "); });

/* ---- highlight -------------------------------------------------------------------------------- */
var lit = null;
function light(layer, feature, style) {
  if (lit) { lit.area.setStyle(lit.before); lit = null; }
  var area = layers[layer] && layers[layer].parts && layers[layer].parts[feature];
  if (!area) return;
  var before = {};
  for (var name in style) before[name] = area.options[name] === undefined ? null : area.options[name];
  lit = {area: area, before: before, told: [layer, feature, style]};
  area.setStyle(style).bringToFront();
}

/* ---- swipe: some layers on the left of a line, some on its right --------------------------------- */
var swipe = null, divider = null;
function clip() {
  document.querySelectorAll("[data-layer]").forEach(function (one) { one.style.clip = ""; });
  if (!swipe) return;
  var size = map.getSize(), x = Math.round(size.x * swipe.at);
  var nw = map.containerPointToLayerPoint([0, 0]), se = map.containerPointToLayerPoint(size);
  var middle = nw.x + x;
  function cut(ids, left, right) {
    ids.forEach(function (id) {
      var one = map.getPane("planner-" + id);
      if (one) one.style.clip = "rect(" + [nw.y, right, se.y, left].join("px,") + "px)";
    });
  }
  cut(swipe.left, nw.x, middle);
  cut(swipe.right, middle, se.x);
  divider.style.left = x + "px";
  divider.setAttribute("aria-valuenow", Math.round(swipe.at * 100));
}
function setSwipe(told) {
  if (divider) { divider.remove(); divider = null; }
  swipe = told && {left: told.left, right: told.right, at: swipe ? swipe.at : 0.5};
  if (swipe) {
    divider = L.DomUtil.create("div", "divider", map.getContainer());
    divider.innerHTML = "<i></i><b class='left'></b><b class='right'></b>";
    divider.querySelector(".left").textContent = told.words[0];
    divider.querySelector(".right").textContent = told.words[1];
    divider.tabIndex = 0;
    divider.setAttribute("role", "slider");
    divider.setAttribute("aria-label", told.label);
    divider.setAttribute("aria-valuemin", 0); divider.setAttribute("aria-valuemax", 100);
    L.DomEvent.disableClickPropagation(divider);
    divider.addEventListener("pointerdown", function (event) {
      event.stopPropagation(); divider.setPointerCapture(event.pointerId); divider.dataset.held = 1;
    });
    divider.addEventListener("pointermove", function (event) {
      if (!divider.dataset.held) return;
      var box = map.getContainer().getBoundingClientRect();
      swipe.at = Math.min(0.98, Math.max(0.02, (event.clientX - box.left) / box.width));
      clip();
    });
    divider.addEventListener("pointerup", function () { delete divider.dataset.held; });
    divider.addEventListener("keydown", function (event) {
      var step = {ArrowLeft: -0.05, ArrowRight: 0.05}[event.key];
      if (!step) return;
      event.stopPropagation(); event.preventDefault();
      swipe.at = Math.min(0.98, Math.max(0.02, swipe.at + step)); clip();
    });
  }
  clip();
}
map.on("move zoomend resize viewreset", clip);

/* ---- what stands around the map --------------------------------------------------------------------- */
var zoomer = null, scale = L.control.scale({imperial: false, maxWidth: 130}).addTo(map), corner = null;
function surround(told) {
  ["head", "legend", "foot"].forEach(function (name) {
    var strip = document.querySelector(".strip." + name);
    if (!strip) {
      strip = L.DomUtil.create("div", "strip " + name, document.body);
      strip.hidden = true;
    }
    if (told[name] !== undefined) { strip.innerHTML = told[name]; strip.hidden = !told[name]; }
  });
  for (var id in layers) if (layers[id].explain) layers[id].explain();
  if (told.words) {
    document.documentElement.lang = told.words.lang;
    if (zoomer) zoomer.remove();
    zoomer = L.control.zoom({zoomInTitle: told.words.zoom_in, zoomOutTitle: told.words.zoom_out}).addTo(map);
    if (corner) corner.remove();
    corner = L.control({position: "topright"});
    corner.onAdd = function () {
      var box = L.DomUtil.create("div", "north");
      box.innerHTML = '<svg width="16" height="20" viewBox="0 0 16 20" aria-hidden="true">'
        + '<path d="M8 0 14 19 8 15 2 19Z" fill="currentColor"/></svg><br>';
      box.append(told.words.north);
      return box;
    };
    corner.addTo(map);
    map.getContainer().setAttribute("aria-label", told.words.label);
  }
  if (told.theme) document.documentElement.dataset.theme = told.theme;
  requestAnimationFrame(function () { quietly(function () { map.invalidateSize({animate: false}); }); });
}

/* ---- what the page tells -------------------------------------------------------------------------------- */
var doers = {
  listen: function (said) { asked = {}; said.kinds.forEach(function (kind) { asked[kind] = true; }); },
  put: function (said) { put(said.what); },
  take: function (said) { take(said.id); },
  recolour: function (said) {
    var layer = layers[said.id];
    if (layer && layer.recolour) layer.recolour({stops: said.stops, colours: said.colours});
  },
  restyle: function (said) {
    var layer = layers[said.id];
    if (!layer || !layer.parts) return;
    Object.keys(layer.parts).forEach(function (id, i) {
      var at = layer.told.ids.indexOf(id);
      if (said.fills) layer.parts[id].setStyle({fillColor: said.fills[at]});
      if (said.tips) layer.parts[id].setTooltipContent(said.tips[at]);
    });
  },
  mark: function (said) { mark(said.what); },
  move: function (said) { if (markers[said.id]) markers[said.id].setLatLng([said.lat, said.lon]); },
  unmark: function (said) { unmark(said.id); },
  view: function (said) {
    held = true;
    var still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (said.bounds) map.fitBounds(said.bounds, {padding: [24, 24], maxZoom: 16, animate: !still});
    else if (said.zoom !== null) map.setView([said.lat, said.lon], said.zoom, {animate: !still && !said.still});
    else { held = false; fit(); }
  },
  home: function (said) { home = said.bounds; if (!held) fit(); },
  light: function (said) { light(said.layer, said.feature, said.style); },
  swipe: function (said) { setSwipe(said.what); },
  draw: function (said) { draw(said.shape); },
  surround: function (said) { surround(said); },
};
window.addEventListener("message", function (event) {
  var said = event.data;
  if (event.source !== window.parent || !said || said.planner !== word || !word) return;
  if (Object.prototype.hasOwnProperty.call(doers, said.do)) doers[said.do](said);
});

/* ---- ready when loaded and given a size; no event tells of a frame's first size ---------------------------- */
var whole = document.readyState === "complete", told = false;
function ready() { if (whole && sized() && !told) { told = true; tell("ready", {}); } }
new ResizeObserver(function () {
  quietly(function () { map.invalidateSize({animate: false}); });
  if (!held) fit();
  ready();
}).observe(map.getContainer());
window.addEventListener("load", function () { whole = true; ready(); });
