// Whole division of integers from 0 to 2^24 - 2, by floats: software renderers divide integers one
// vertex at a time, which takes a sixth of field.vert's time.

int quotient(int a, int b) {
    int q = int((float(a) + 0.5) / float(b));
    int rest = a - q * b;                            // the float may round to the next whole number
    return q - int(rest < 0) + int(rest >= b);
}

int remainder(int a, int b) { return a - quotient(a, b) * b; }
