#version 330
// One triangle over the whole viewport: the host's viewport is the part of the ring to write.
void main() {
    gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}
